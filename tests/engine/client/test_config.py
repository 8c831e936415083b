"""Client files: what may be said, every fault at once with its line, and what survives a faulty file."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mmm_engine.client.client_file import (
    client_config_from_mapping,
    inspect_client_config,
    list_clients,
    read_client_config,
    write_client_config,
)
from mmm_engine.client.config import (
    WINDOWS,
    ChannelConfig,
    ClientConfig,
    ControlConfig,
    SamplerConfig,
    TargetConfig,
    check_client_id,
)
from mmm_engine.client.model_config import AdstockConfig, ModelConfig
from mmm_engine.errors import ConfigError
from tests.engine.client_cases import SETTINGS, shop_config

HEAD = "client: shop\ndata: shop.csv\ndate: week\n"
SHOP = HEAD + "target: {column: revenue, kind: revenue}\nchannels: [tv, radio]\ncontrols: [price]\n"


def faults_of(folder, text, name="shop.yaml"):
    """The faults of a client file with this text, as text."""
    path = folder / name
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_client_config(path)
    assert str(caught.value).startswith(f"client '{path.stem}', {name}: ")
    return [str(fault) for fault in caught.value.faults]


def test_a_file_with_only_what_is_needed_gets_the_defaults(tmp_path):
    """Six lines make a client."""
    (tmp_path / "shop.yaml").write_text(SHOP)
    config = read_client_config(tmp_path / "shop.yaml")
    assert config == shop_config()
    assert config.channel_names == ("tv", "radio")
    assert config.control_names == ("price",)
    assert config.controls[0].effect == "positive"
    assert config.model == ModelConfig(adstock=AdstockConfig(kind="geometric", max_lag=4))
    assert config.sampler == SamplerConfig(draws=1000, tune=1000, chains=4, target_accept=0.95, seed=1)
    assert WINDOWS == {"full": 0, "h04": 4, "h08": 8, "h12": 12}


def test_columns_may_be_written_as_names_as_mappings_or_as_one_mapping():
    """Three ways to write channels and controls, one meaning."""
    listed = shop_config(channels=["tv", {"column": "radio", "unit": "spots", "cost": "radio_cost"}])
    mapped = shop_config(channels={"tv": None, "radio": {"unit": "spots", "cost": "radio_cost"}})
    assert listed == mapped
    assert listed.cost_names == ("radio_cost",)
    assert shop_config(controls={"price": {"effect": "any"}}) == shop_config(
        controls=[{"column": "price", "effect": "any"}]
    )
    assert shop_config(target="revenue") == shop_config()


def test_sections_that_are_commented_out_mean_their_defaults(tmp_path):
    """A section with nothing in it reads as None."""
    (tmp_path / "shop.yaml").write_text(SHOP.replace("[price]", "") + "model:\nsampler:\nthresholds:\n")
    assert read_client_config(tmp_path / "shop.yaml") == shop_config(controls=[])


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("chanels: [a]", "setting 'chanels' (line 7): found an unknown setting 'chanels'; wanted one of client, data, "
         "date, target, channels, controls, currency, model, calibration, lift_tests, sampler, thresholds, audit, "
         "forecast; did you mean 'channels'?"),
        ("model: {saturaton: log}", "setting 'model.saturaton' (line 7): found an unknown setting 'saturaton'; wanted "
         "one of adstock, saturation, time_varying_media, time_varying_intercept, yearly_seasonality, n_basis, "
         "trend, events, likelihood, priors; did you mean 'saturation'?"),
        ("model: {saturation: hil}", "setting 'model.saturation' (line 7): found the text 'hil'; wanted "
         "'michaelis_menten', 'logistic', 'inverse_scaled_logistic', 'hill', 'hill_sigmoid', 'tanh', 'root', 'log' "
         "or 'none'; did you mean 'hill'?"),
        ("model: {adstock: {max_lag: 99}}", "setting 'model.adstock.max_lag' (line 7): found the number 99; wanted "
         "at most 52; write such a value"),
        ("model: {time_varying_media: 'yes'}", "setting 'model.time_varying_media' (line 7): found the text 'yes'; "
         "wanted true or false; write such a value"),
        ("model: {yearly_seasonality: 0}", "setting 'model.yearly_seasonality' (line 7): found the number 0; wanted "
         "at least 1; write such a value"),
        ("model: {priors: {intercept: {sigma: 1}}}", "setting 'model.priors.intercept' (line 7): found a prior "
         "without 'distribution'; wanted a mapping with the name of its distribution and numbers for its parameters; "
         "write {distribution: HalfNormal, sigma: 1}"),
        ("model: {priors: {media_tvp_config: {n: 20}}}", "setting 'model.priors.media_tvp_config.n' (line 7): found "
         "an unknown setting 'n'; wanted one of m, L, eta_lam, ls_mu, ls_sigma, cov_func; delete it"),
        ("model: {priors: {media_tvp_config: {L: 0}}}", "setting 'model.priors.media_tvp_config.L' (line 7): found "
         "the number 0; wanted a number above 0; write such a number"),
        ("model: {priors: {media_tvp_config: {cov_func: expquad}}}", "setting 'model.priors.media_tvp_config.cov_func' "
         "(line 7): found the text 'expquad'; wanted 'matern52'; delete it: there is no other one"),
        ("model: {priors: {a: {distribution: Normal, mu: .inf}}}", "setting 'model.priors.a' (line 7): found a prior "
         "with other values; wanted text, finite numbers, lists and mappings; mend the values of the prior"),
        ("model: {trend: {changepoints: 0}}", "setting 'model.trend.changepoints' (line 7): found the number 0; wanted "
         "at least 1; write such a value"),
        ("model: {trend: 5}", "setting 'model.trend' (line 7): found the number 5; wanted a mapping (name: value); "
         "write such a value"),
        ("model: {trend: {changepoint: 5}}", "setting 'model.trend.changepoint' (line 7): found an unknown setting "
         "'changepoint'; wanted one of changepoints; did you mean 'changepoints'?"),
        ("model: {events: {sale: 2022-13-01}}", "setting 'model.events.sale' (line 7): found '2022-13-01'; wanted a "
         "date written as YYYY-MM-DD; write the date so"),
        ("model: {events: {sale: [2022-01-01, {start: 2022-02-02, end: 2022-02-01}]}}", "setting "
         "'model.events.sale[2].end' (line 7): found 2022-02-01; wanted 2022-02-02 or later; swap the two days"),
        ("model: {events: {sale: }}", "setting 'model.events.sale' (line 7): found nothing; wanted a day (YYYY-MM-DD), "
         "a list of days, or {start: …, end: …}; write the days of the event"),
        ("model:\n  events:\n    sale:\n    - 2022-01-01\n    - {start: 2022-02-02, end: x}", "setting "
         "'model.events.sale[2].end' (line 11): found 'x'; wanted a date written as YYYY-MM-DD; write the date so"),
        ("model: {events: {tv: 2022-02-02}}", "setting 'model.events.tv' (line 7): found the event 'tv', a name that "
         "is used for something else; wanted a name of its own; rename the event"),
        ("model: {trend: {}, events: {trend: 2022-02-02}}", "setting 'model.events.trend' (line 7): found the event "
         "'trend', a name that is used for something else; wanted a name of its own; rename the event"),
        ("model: {likelihood: positive}", "setting 'model.likelihood' (line 7): found the text 'positive'; wanted "
         "'normal', 'student_t' or 'truncated_normal'; write one of these words"),
        ("calibration: ../lift.csv", "setting 'calibration' (line 7): found the path '../lift.csv'; wanted a .csv or "
         ".parquet file inside the data folder, written relative to the client file; put the file beside the client "
         "file and name it here"),
        ("calibration: 3", "setting 'calibration' (line 7): found the number 3; wanted text (put it in quotes if it "
         "looks like a number, a yes or a no); write such a value"),
        ("lift_tests: [{channel: tvs, date: 2022-01-01, x: 1, delta_x: 1, delta_y: 1, sigma: 1}]", "setting "
         "'lift_tests[1].channel' (line 7): found 'tvs'; wanted one of tv, radio; did you mean 'tv'?"),
        ("lift_tests: [{channel: tv, date: 2022-01-01, x: 1, delta_x: -2, delta_y: 1, sigma: 1}]", "setting "
         "'lift_tests[1].delta_x' (line 7): found -2; wanted a change, to not less than 0 (x is 1); correct the row "
         "of this test"),
        ("lift_tests: [{channel: tv, date: 2022-01-01, x: 1, delta_x: 1, delta_y: 1, sigma: 0}]", "setting "
         "'lift_tests[1].sigma' (line 7): found the number 0; wanted greater than 0; write such a value"),
        ("sampler: {draws: '1000'}", "setting 'sampler.draws' (line 7): found the text '1000'; wanted a whole number; "
         "write such a value"),
        ("sampler: {draws: 1000.5}", "setting 'sampler.draws' (line 7): found the number 1000.5; wanted a whole "
         "number; write such a value"),
        ("sampler: {target_accept: 1}", "setting 'sampler.target_accept' (line 7): found the number 1; wanted less "
         "than 1; write such a value"),
        ("thresholds: {rhat_max: .nan}", "setting 'thresholds.rhat_max' (line 7): found the number nan; wanted a "
         "finite number; write such a value"),
        ("audit: {truth: priors}", "setting 'audit.truth' (line 7): found the text 'priors'; wanted 'prior' or "
         "'posterior'; did you mean 'prior'?"),
        ("forecast: {plan: ../plan.csv}", "setting 'forecast.plan' (line 7): found the path '../plan.csv'; wanted a "
         ".csv or .parquet file inside the data folder, written relative to the client file; put the file beside the "
         "client file and name it here"),
        ("thresholds: 3", "setting 'thresholds' (line 7): found the number 3; wanted a mapping (name: value); write "
         "such a value"),
        ("date: day", "setting 'date' (line 7): found a second value (the first is on line 3); wanted each setting "
         "once; delete one of the two"),
    ],
)  # fmt: skip
def test_a_faulty_line_is_named_with_what_to_do(tmp_path, line, fault):
    """Unknown keys, wrong words, wrong types, numbers out of range, settings written twice."""
    assert fault in faults_of(tmp_path, SHOP + line + "\n")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("client: shop\n", "", "setting 'client': found nothing; wanted the setting 'client'; add a line 'client: …'"),
        ("client: shop", "client: other", "setting 'client' (line 1): found 'other'; wanted the name of the file, "
         "'shop'; write 'client: shop' or rename the file to other.yaml"),
        ("client: shop", "client: Shop!", "setting 'client' (line 1): found the client id 'Shop!'; wanted 1 to 63 of "
         "a-z, 0-9, '_' and '-', starting with a letter or digit; rename the client and its files"),
        ("[tv, radio]", "[tv, radio, tv]", "setting 'channels[3]' (line 5): found column 'tv', which is already used "
         "above; wanted each column in one place; delete one of the two"),
        ("[price]", "[revenue]", "setting 'controls[1]' (line 6): found column 'revenue', which is already used "
         "above; wanted each column in one place; delete one of the two"),
        ("[tv, radio]", "[tv, {column: radio, cost: tv}]", "setting 'channels[2].cost' (line 5): found column 'tv', "
         "which is already used above; wanted each column in one place; delete one of the two"),
        ("[tv, radio]", "[tv, baseline]", "setting 'channels[2]' (line 5): found column 'baseline'; wanted another "
         "name (all, baseline, date, seasonality, split mean something else in the results); rename the column in "
         "the data file and here"),
        ("[tv, radio]", "[]", "setting 'channels' (line 5): found a list; wanted at least one entry; write such a "
         "value"),
        ("[tv, radio]", "[tv, 3]", "setting 'channels[2]' (line 5): found the number 3; wanted a mapping "
         "(name: value); write such a value"),
        ("[tv, radio]", "[tv, '']", "setting 'channels[2]' (line 5): found ''; wanted a column name of 1 to 200 "
         "printable characters without spaces around it; use the name as it stands in the header of the data file"),
        ("[tv, radio]", "[tv, no]", "setting 'channels[2]' (line 5): found false (yes/no); wanted a mapping "
         "(name: value); write such a value"),
        ("date: week", "date: 7", "setting 'date' (line 3): found the number 7; wanted text (put it in quotes if it "
         "looks like a number, a yes or a no); write such a value"),
        ("kind: revenue", "kind: sales", "setting 'target.kind' (line 4): found the text 'sales'; wanted 'revenue' "
         "or 'conversions'; write one of these words"),
    ],
)  # fmt: skip
def test_a_faulty_client_is_named_with_what_to_do(tmp_path, old, new, fault):
    """Ids, columns named twice, reserved and impossible names."""
    assert fault in faults_of(tmp_path, SHOP.replace(old, new))


@pytest.mark.parametrize(
    "data",
    [
        "../shop.csv",
        "/etc/shop.csv",
        "a/../../shop.csv",
        "shop.xlsx",
        "shop",
        "C:\\\\shop.csv",
        "file:shop.csv",
        "''",
    ],
)
def test_a_data_path_outside_the_folder_or_of_another_format_is_refused(tmp_path, data):
    """Neither up, nor absolute, nor a drive, nor a workbook."""
    (fault,) = faults_of(tmp_path, SHOP.replace("data: shop.csv", f"data: {data}"))
    assert fault.startswith("setting 'data' (line 2): found the path ")
    assert "wanted a .csv or .parquet file inside the data folder" in fault


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path):
    """What the path resolves to counts, not how it is written."""
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("a\n")
    (folder / "shop.csv").symlink_to(tmp_path / "secret.csv")
    (fault,) = faults_of(folder, SHOP)
    assert fault.startswith("setting 'data' (line 2): found a path that leaves the data folder")
    (tmp_path / "secret.yaml").write_text("password: hunter2")
    (folder / "linked.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(ConfigError, match="found a link out of the data folder") as caught:
        read_client_config(folder / "linked.yaml")
    assert "password" not in str(caught.value)


def test_all_faults_of_a_file_come_in_one_message(tmp_path):
    """Nobody has to run the check five times."""
    text = SHOP + "chanels: [a]\nmodel: {saturation: x}\nsampler: {draws: -1, tune: no}\n"
    faults = faults_of(tmp_path, text.replace("kind: revenue", "kind: sales"))
    places = [fault.split(":")[0] for fault in faults]
    assert sorted(places) == [
        "setting 'chanels' (line 7)",
        "setting 'model.saturation' (line 8)",
        "setting 'sampler.draws' (line 9)",
        "setting 'sampler.tune' (line 9)",
        "setting 'target.kind' (line 4)",
    ]


def test_what_is_sound_survives_a_faulty_file(tmp_path):
    """The rows can be checked against the sound columns although the file has faults."""
    path = tmp_path / "shop.yaml"
    path.write_text(
        HEAD
        + "target: {column: revenue, kind: sales}\nchannels: [3, tv, tv, {column: radio, unti: x}]\n"
        + "controls: {price: {effect: up}, revenue: }\nmodel: {adstock: {max_lag: 99}}\n"
    )
    config, faults = inspect_client_config(path)
    assert config == shop_config(model={"adstock": {}})
    assert len(faults) == 7
    path.write_text(HEAD + "channels: [tv]\n")
    config, faults = inspect_client_config(path)
    assert config is None
    assert [fault.where for fault in faults] == ["setting 'target'"]


def test_a_missing_file_names_the_clients_that_exist(tmp_path):
    """A slip in the name costs one look at the message."""
    (tmp_path / "shop.yaml").write_text(SHOP)
    with pytest.raises(
        ConfigError, match=r"no such file; wanted a client file \(there are: shop\); did you mean 'shop'"
    ):
        read_client_config(tmp_path / "shp.yaml")
    (tmp_path / "other.yml").write_text(SHOP)
    with pytest.raises(ConfigError, match=r"rename other\.yml to other\.yaml"):
        read_client_config(tmp_path / "other.yaml")


def test_clients_are_the_yaml_files_with_an_allowed_name(tmp_path):
    """Other files in the folder are no clients."""
    for name in ("b.yaml", "a-1.yaml", "B.yaml", "c.yml", "a.csv", ".hidden.yaml", "x y.yaml"):
        (tmp_path / name).touch()
    assert list_clients(tmp_path) == ["a-1", "b"]
    assert list_clients(tmp_path / "missing") == []


@pytest.mark.parametrize(
    "text", ["", "A", "a b", "../a", "a/b", "-a", "a" * 64, "ä", "a\n", "a|b", "a.b", "ａ"]
)
def test_ids_that_could_become_other_paths_are_refused(text):
    """Every path and partition key is made from ids that passed here."""
    with pytest.raises(ConfigError, match=r"found the client id .*; rename the client"):
        check_client_id(text)


def test_faults_of_a_mapping_name_the_setting_without_lines():
    """Notebooks get the same words as files."""
    with pytest.raises(ConfigError, match=r"setting 'sampler\.draws': found the number 0; wanted at least 1"):
        client_config_from_mapping(SETTINGS | {"sampler": {"draws": 0}})


def test_hostile_names_reach_the_message_as_text(tmp_path):
    """Neither a setting nor a value can steer the terminal that shows the message."""
    evil = "\\e[2J" + "x" * 500
    for text in (
        SHOP + f'"{evil}": 1\n"{evil}": 2\n',
        SHOP.replace("tv", f'"{evil}"'),
        SHOP.replace("shop\n", f'"{evil}"\n'),
    ):
        faults = faults_of(tmp_path, text)
        assert all(fault.isprintable() and len(fault) < 600 for fault in faults)


def test_settings_cannot_be_changed_after_they_were_checked():
    """Frozen all the way down to the sections."""
    with pytest.raises(ValueError, match="frozen"):
        shop_config().sampler.draws = 5


def test_the_version_changes_with_what_can_change_a_number_and_with_nothing_else():
    """Labels, thresholds, audits, cores and the name of the data file leave it as it is."""
    version = shop_config().config_version
    assert len(version) == 12
    assert int(version, 16) >= 0
    same = [
        {"data": "other.parquet"},
        {"thresholds": {"rhat_max": 1.05}},
        {"audit": {"simulations": 3}, "forecast": {"horizon": 5}},
        {"sampler": {"cores": 1}},
        {"channels": [{"column": "tv", "unit": "spots"}, "radio"]},
    ]
    other = [
        {"sampler": {"seed": 2}},
        {"channels": ["radio", "tv"]},
        {"channels": [{"column": "tv", "cost": "tv_cost"}, "radio"]},
        {"controls": []},
        {"target": {"column": "revenue", "kind": "conversions"}},
        {"model": {"priors": {"intercept": {"distribution": "HalfNormal", "sigma": 2}}}},
    ]
    assert {shop_config(**change).config_version for change in same} == {version}
    assert len({shop_config(**change).config_version for change in other} | {version}) == len(other) + 1


names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)
priors = st.dictionaries(
    names,
    st.fixed_dictionaries(
        {"distribution": names},
        optional={"sigma": st.floats(allow_nan=False, allow_infinity=False), "dims": names},
    ),
    max_size=2,
)


@st.composite
def configs(draw):
    """Any settings that are allowed."""
    columns = draw(
        st.lists(names.filter(lambda name: name not in _RESERVED), min_size=6, max_size=6, unique=True)
    )
    adstocks = st.builds(AdstockConfig, max_lag=st.integers(1, 52), kind=st.sampled_from(["delayed", "none"]))
    return ClientConfig(
        client=draw(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True)),
        data="a folder/rows, new.csv",
        date=columns[0],
        target=TargetConfig(column=columns[1], kind=draw(st.sampled_from(["revenue", "conversions"]))),
        channels=(
            ChannelConfig(column=columns[2]),
            ChannelConfig(
                column=columns[3],
                unit=draw(names),
                cost=columns[4],
                adstock=draw(st.none() | adstocks),
                saturation=draw(st.sampled_from([None, "none", "hill"])),
                priors=draw(priors),
            ),
        ),
        controls=(ControlConfig(column=columns[5], effect=draw(st.sampled_from(["positive", "any"]))),),
        model=ModelConfig(adstock=draw(adstocks), n_basis=draw(st.integers(5, 500)), priors=draw(priors)),
        sampler=SamplerConfig(
            target_accept=draw(st.floats(0.001, 0.999)), cores=draw(st.none() | st.integers(1, 8))
        ),
    )


_RESERVED = ("date", "split", "all", "baseline", "seasonality")


@given(configs())
def test_reading_what_was_written_gives_the_same_settings(tmp_path_factory, config):
    """No name, number or section is lost or changed on the way through the file."""
    path = tmp_path_factory.mktemp("config") / f"{config.client}.yaml"
    write_client_config(config, path, heading="written by\na test")
    assert read_client_config(path) == config
    assert path.read_text().startswith("# written by a test\nclient: ")


yaml_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["tv", "radio"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("column"), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*SETTINGS, "model", "sampler", "thresholds", "x"]), yaml_values))
def test_any_values_give_settings_or_faults(changes):
    """No value of any type in any place raises anything but a ConfigError with all four parts."""
    try:
        client_config_from_mapping(SETTINGS | changes)
        faults = ()
    except ConfigError as error:
        faults = error.faults
        event("refused")
    assert all(fault.where and fault.found and fault.wanted and fault.fix for fault in faults)


def test_settings_of_a_time_varying_term_are_read() -> None:
    """The basis of a time-varying term is set like a prior, without a distribution."""
    settings = {"m": 20, "L": 90.5, "eta_lam": 2.0, "cov_func": "matern52"}
    config = client_config_from_mapping(SETTINGS | {"model": {"priors": {"media_tvp_config": settings}}})
    assert config.model.priors["media_tvp_config"] == settings


def test_events_are_written_in_many_ways(tmp_path: Path) -> None:
    """A day, several days, from one day to another; the same settings come back from the file that is written."""
    events = "{sale: [2022-11-25, {start: 2023-11-24, end: 2023-11-27}], tv: 2022-03-01}"
    text = f"model: {{trend: {{changepoints: 4}}, events: {events}}}\n"
    with pytest.raises(ConfigError, match="the event 'tv', a name that is used for something else"):
        _shop(tmp_path, text)
    config = _shop(tmp_path, text.replace("tv: 2022", "launch: 2022"))
    assert [event.name for event in config.model.events] == ["sale", "launch"]
    assert [day.start for day in config.model.events[0].days] == ["2022-11-25", "2023-11-24"]
    write_client_config(config, tmp_path / "shop.yaml")
    assert read_client_config(tmp_path / "shop.yaml") == config


def test_lift_tests_come_from_a_table_beside_the_client_file(tmp_path: Path) -> None:
    """Rows of the table are settings; they count for the version of the settings, the name of the table does not."""
    rows = "channel,date,x,delta_x,delta_y,sigma\ntv,2022-03-07,10,5,100,20\n"
    (tmp_path / "lift.csv").write_text(rows)
    (tmp_path / "other.csv").write_text(rows)
    config = _shop(tmp_path, "calibration: lift.csv\n")
    assert [test.delta_y for test in config.lift_tests] == [100.0]
    assert _shop(tmp_path, "calibration: other.csv\n").config_version == config.config_version
    assert _shop(tmp_path, "").config_version != config.config_version


LIFT_ROWS = "channel,date,x,delta_x,delta_y,sigma\ntv,2022-03-07,10,5,100,20\nradio,2022-03-14,10,5,100,20\n"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("radio,", "radoi,", "lift.csv, column 'channel', row 3: found 'radoi'; wanted one of tv, radio; did you mean "
         "'radio'?"),
        ("2022-03-14", "soon", "lift.csv, column 'date', row 3: found 'soon'"),
        ("10,5,100,20\nradio", "10,5,much,20\nradio", "lift.csv, column 'delta_y', row 2 (2022-03-07): found the text "
         "'much'; wanted a number"),
        ("tv,2022-03-07,10", "tv,2022-03-07,-1", "lift.csv, column 'x', row 2 (2022-03-07): found -1; wanted 0 or "
         "more; correct the row of this test"),
        ("10,5,", "10,-11,", "lift.csv, column 'delta_x', row 2 (2022-03-07): found -11 (and in 1 more row: 3); wanted "
         "a change, to not less than 0; correct the row of this test"),
        (",20\n", ",0\n", "lift.csv, column 'sigma', row 2 (2022-03-07): found 0 (and in 1 more row: 3); wanted a "
         "standard error above 0; correct the row of this test"),
        ("channel", "chanel", "lift.csv, column 'channel': found no such column; wanted the columns channel, date, x, "
         "delta_x, delta_y, sigma; did you mean 'chanel'?"),
        (LIFT_ROWS[37:], "", "lift.csv, the file: found a header and no rows; wanted one row a test; export the data "
         "again"),
    ],
)  # fmt: skip
def test_a_faulty_table_of_lift_tests_is_named_with_its_row(tmp_path, old, new, fault):
    """Like the faults of the client's rows: file, column, row, what to do."""
    (tmp_path / "lift.csv").write_text(LIFT_ROWS.replace(old, new))
    (found,) = faults_of(tmp_path, SHOP + "calibration: lift.csv\n")
    assert found.startswith(fault)


def test_a_table_of_lift_tests_must_be_there_inside_the_folder_and_alone(tmp_path):
    """No such file; a link that leads out; tests in the client file as well."""
    (fault,) = faults_of(tmp_path, SHOP + "calibration: none.csv\n")
    assert fault == (
        "none.csv, the file: found no such file; wanted a file with rows; put it there or correct 'calibration' in the "
        "client file"
    )
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "out.csv").write_text(LIFT_ROWS)
    (folder / "in.csv").write_text(LIFT_ROWS)
    (folder / "link.csv").symlink_to(tmp_path / "out.csv")
    (fault,) = faults_of(folder, SHOP + "calibration: link.csv\n")
    assert fault.startswith("setting 'calibration' (line 7): found a path that leaves the data folder")
    test = "{channel: tv, date: 2022-01-01, x: 1, delta_x: 1, delta_y: 1, sigma: 1}"
    (fault,) = faults_of(folder, SHOP + f"calibration: in.csv\nlift_tests: [{test}]\n")
    assert "(line 7): found 'lift_tests' in the file and a table of them; wanted one of the two" in fault


def test_a_faulty_event_or_lift_test_leaves_the_rest_sound(tmp_path):
    """The rows can be checked although a term of the model cannot be read."""
    (tmp_path / "lift.csv").write_text(LIFT_ROWS.replace("radio", "tvv"))
    (tmp_path / "shop.yaml").write_text(
        SHOP
        + "model: {trend: {}, events: {sale: x, launch: [2022-03-01, {start: 2022-04-01, end: y}], ok: 2022-05-01}}\n"
        "calibration: lift.csv\nsampler: {draws: -1}\n"
    )
    config, faults = inspect_client_config(tmp_path / "shop.yaml")
    assert config is not None
    assert (config.channel_names, config.lift_tests) == (("tv", "radio"), ())
    assert config.model.trend is not None
    assert [event.name for event in config.model.events] == ["ok"]
    assert [fault.where for fault in faults] == [
        "setting 'model.events.sale' (line 7)",
        "setting 'model.events.launch[2].end' (line 7)",
        "setting 'sampler.draws' (line 9)",
        "lift.csv, column 'channel', row 3",
    ]


def test_settings_without_lift_tests_are_read_without_pandas():
    """Looking at thousands of client files must not cost the second that pandas takes to load."""
    code = "import sys, mmm_engine.client.config; assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def _shop(folder: Path, text: str) -> ClientConfig:
    (folder / "shop.yaml").write_text(SHOP + text)
    return read_client_config(folder / "shop.yaml")
