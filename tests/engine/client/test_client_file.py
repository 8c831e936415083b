"""Client files: every fault at once with its line, paths that stay in the folder, what survives a faulty file."""

import copy
import functools

import pytest

from mmm_engine.client.client_file import (
    client_config_from_mapping,
    inspect_client_config,
    list_clients,
    read_client_config,
)
from mmm_engine.errors import ConfigError
from tests.engine.client_cases import HEAD, SETTINGS, SHOP, faults_of_settings, shop_config


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("chanels: [a]", "setting 'chanels' (line 7): found an unknown setting 'chanels'; wanted one of client, data, "
         "csv, sheet, date, target, channels, controls, currency, model, calibration, lift_tests, sampler, thresholds, "
         "audit, forecast, decision; did you mean 'channels'?"),
        ("model: {saturaton: log}", "setting 'model.saturaton' (line 7): found an unknown setting 'saturaton'; wanted "
         "one of preset, adstock, saturation, time_varying_media, time_varying_intercept, yearly_seasonality, "
         "weekly_seasonality, n_basis, baseline, trend, holidays, events, likelihood, likelihood_power, "
         "priors, returns; did you mean 'saturation'?"),
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
        ("model: {priors: {intercept: {distribution: HalfNormal, sd: 0.3}}}", "setting 'model.priors.intercept.sd' "
         "(line 7): found an unknown argument 'sd'; wanted HalfNormal(sigma > 0) or HalfNormal(tau > 0); did you mean "
         "'sigma'?"),
        ("model: {priors: {intercept: {distribution: Gamma, mu: 2}}}", "setting 'model.priors.intercept' (line 7): "
         "found Gamma with mu alone; wanted Gamma(alpha > 0, beta > 0) or Gamma(mu > 0, sigma > 0); add sigma"),
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
        ("calibration: ../lift.csv", "setting 'calibration' (line 7): found the path '../lift.csv'; wanted a .csv, "
         ".parquet or .xlsx file inside the data folder, written relative to the client file; put the file beside the "
         "client file and name it here"),
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
        ("forecast: {plan: ../plan.csv}", "setting 'forecast.plan' (line 7): found the path '../plan.csv'; wanted "
         "a .csv, .parquet or .xlsx file inside the data folder, written relative to the client file; put the file "
         "beside the client file and name it here"),
        ("decision: {budget: lots}", "setting 'decision.budget' (line 7): found 'lots'; wanted an amount, last_4, "
         "last_13, profit, roi 2, mroi 1, +20000, -20000, +10% or -10%; write one of these"),
        ("decision: {keep: [tvv]}", "setting 'decision.keep' (line 7): found 'tvv'; wanted one of tv, radio; did you "
         "mean 'tv'?"),
        ("thresholds: 3", "setting 'thresholds' (line 7): found the number 3; wanted a mapping (name: value); write "
         "such a value"),
        ("date: day", "setting 'date' (line 7): found a second value (the first is on line 3); wanted each setting "
         "once; delete one of the two"),
    ],
)  # fmt: skip
def test_a_faulty_line_is_named_with_what_to_do(tmp_path, line, fault):
    """Unknown keys, wrong words, wrong types, numbers out of range, settings written twice."""
    assert fault in faults_of_settings(tmp_path, SHOP + line + "\n")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("client: shop\n", "", "setting 'client': found nothing; wanted the setting 'client'; add a line 'client: …'"),
        ("client: shop", "client: other", "setting 'client' (line 1): found 'other'; wanted the name of the file, "
         "'shop'; write 'client: shop' or rename the file to other.yaml"),
        ("client: shop", "client: Shop!", "setting 'client' (line 1): found the client id 'Shop!'; wanted 1 to 63 of "
         "a-z, 0-9, '_' and '-', starting with a letter or digit; rename the client and its files, for example to "
         "'shop'"),
        ("[tv, radio]", "[tv, radio, tv]", "setting 'channels[3]' (line 5): found column 'tv', which is already used "
         "above; wanted each column in one place; delete one of the two"),
        ("[price]", "[revenue]", "setting 'controls[1]' (line 6): found column 'revenue', which is already used "
         "above; wanted each column in one place; delete one of the two"),
        ("[tv, radio]", "[tv, {column: radio, cost: tv}]", "setting 'channels[2].cost' (line 5): found column 'tv', "
         "which is already used above; wanted each column in one place; delete one of the two"),
        ("[tv, radio]", "[tv, baseline]", "setting 'channels[2]' (line 5): found column 'baseline'; wanted another "
         "name (all, baseline, date, seasonality, split mean something else in the results); rename the column in "
         "the data file and here"),
        ("[tv, radio]", "[]", "setting 'channels' (line 5): found an empty list; wanted at least one entry; write "
         "such a value"),
        ("[tv, radio]", "[tv, 3]", "setting 'channels[2]' (line 5): found the number 3; wanted the name of a "
         "column, or a mapping (name: value); put a name such as 2024 or no in quotes"),
        ("[tv, radio]", "[tv, '']", "setting 'channels[2]' (line 5): found ''; wanted a column name of 1 to 200 "
         "printable characters without spaces around it; use the name as it stands in the header of the data file"),
        ("[tv, radio]", "[tv, no]", "setting 'channels[2]' (line 5): found false (yes/no); wanted the name of a "
         "column, or a mapping (name: value); put a name such as 2024 or no in quotes"),
        ("date: week", "date: 7", "setting 'date' (line 3): found the number 7; wanted text (put it in quotes if it "
         "looks like a number, a yes or a no); write such a value"),
        ("kind: revenue", "kind: sales", "setting 'target.kind' (line 4): found the text 'sales'; wanted 'revenue' "
         "or 'conversions'; write one of these words"),
    ],
)  # fmt: skip
def test_a_faulty_client_is_named_with_what_to_do(tmp_path, old, new, fault):
    """Ids, columns named twice, reserved and impossible names."""
    assert fault in faults_of_settings(tmp_path, SHOP.replace(old, new))


@pytest.mark.parametrize(
    "data",
    [
        "../shop.csv",
        "/etc/shop.csv",
        "a/../../shop.csv",
        "shop.xls",
        "shop",
        "C:\\\\shop.csv",
        "file:shop.csv",
        "''",
    ],
)
def test_a_data_path_outside_the_folder_or_of_another_format_is_refused(tmp_path, data):
    """Neither up, nor absolute, nor a drive, nor a workbook."""
    (fault,) = faults_of_settings(tmp_path, SHOP.replace("data: shop.csv", f"data: {data}"))
    assert fault.startswith("setting 'data' (line 2): found the path ")
    assert "wanted a .csv, .parquet or .xlsx file inside the data folder" in fault


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path):
    """What the path resolves to counts, not how it is written."""
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("a\n")
    (folder / "shop.csv").symlink_to(tmp_path / "secret.csv")
    (fault,) = faults_of_settings(folder, SHOP)
    assert fault.startswith("setting 'data' (line 2): found a path that leaves the data folder")
    (tmp_path / "secret.yaml").write_text("password: hunter2")
    (folder / "linked.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(ConfigError, match="found a link out of the data folder") as caught:
        read_client_config(folder / "linked.yaml")
    assert "password" not in str(caught.value)


def test_all_faults_of_a_file_come_in_one_message(tmp_path):
    """Nobody has to run the check five times."""
    text = SHOP + "chanels: [a]\nmodel: {saturation: x}\nsampler: {draws: -1, tune: no}\n"
    faults = faults_of_settings(tmp_path, text.replace("kind: revenue", "kind: sales"))
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
        faults = faults_of_settings(tmp_path, text)
        assert all(fault.isprintable() and len(fault) < 600 for fault in faults)


BIDI, ESCAPE, NEWLINE = "\u202e", "\x1b[31m", "\n"
EVERY_TEXT = {
    "currency": "EUR",
    "channels": [{"column": "tv", "unit": "GRP", "cost": "tv_cost"}, "radio"],
    "controls": [{"column": "price", "effect": "any"}],
    "model": {
        "preset": "toolkit",
        "events": {"black friday": "2024-11-29"},
        "holidays": {"country": "DE", "subdivision": "BY", "days": {"Epiphany": ["2024-01-06"]}},
        "priors": {"intercept": {"distribution": "HalfNormal", "sigma": 1}},
    },
    "lift_tests": [{"channel": "tv", "date": "2024-03-04", "delta_x": 1, "delta_y": 1, "sigma": 1}],
    "decision": {"budget": "last_4", "objective": "mean", "keep": ["radio"], "bounds": {"tv": [1, 2]}},
}


def texts_in(value, path=()):
    """The way to every text and every name in settings."""
    if isinstance(value, dict):
        for name, part in value.items():
            if path != ("model", "priors"):  # the model knows which there are, and refuses the others
                yield (*path, name), "name"
            yield from texts_in(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from texts_in(part, (*path, index))
    elif isinstance(value, str):
        yield path, "text"


@pytest.mark.parametrize("mark", [BIDI, ESCAPE, NEWLINE])
@pytest.mark.parametrize(("path", "what"), list(texts_in(SETTINGS | EVERY_TEXT)))
def test_no_text_of_a_client_file_steers_a_terminal(path, what, mark):
    """Whatever is written, names of settings too: refused, and the message shows it as an escape."""
    settings = copy.deepcopy(SETTINGS | EVERY_TEXT)
    client_config_from_mapping(settings)
    around = functools.reduce(lambda values, part: values[part], path[:-1], settings)
    if what == "name":
        around[path[-1] + mark] = around.pop(path[-1])
    else:
        around[path[-1]] += mark
    with pytest.raises(ConfigError) as caught:
        client_config_from_mapping(settings)
    assert all(line.isprintable() for line in str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("section", "entries"),
    [
        ("channels", [f"c{number}" for number in range(10_000)]),
        ("controls", [f"c{number}" for number in range(201)]),
        ("model.events", {f"e{number}": "2024-01-01" for number in range(201)}),
        ("lift_tests", [EVERY_TEXT["lift_tests"][0]] * 1001),
    ],
)
def test_more_than_a_model_can_have_is_refused_before_any_work(section, entries):
    """Checks compare columns with each other: ten thousand channels took minutes."""
    outer, _, inner = section.partition(".")
    most = 1000 if outer == "lift_tests" else 200
    with pytest.raises(ConfigError, match=f"{len(entries):,} entries; wanted at most {most}"):
        shop_config(**{outer: {inner: entries} if inner else entries})


def test_links_that_go_in_a_circle_are_one_fault(tmp_path):
    """As the client file, as its rows, as its table of lift tests."""
    for name in ("shop.yaml", "rows.csv"):
        (tmp_path / name).symlink_to(tmp_path / name)
    _, (fault,) = inspect_client_config(tmp_path / "shop.yaml")
    assert "Too many levels of symbolic links" in fault.found
    (tmp_path / "shop.yaml").unlink()
    (tmp_path / "shop.yaml").write_text(SHOP.replace("shop.csv", "rows.csv") + "calibration: rows.csv\n")
    _, (fault,) = inspect_client_config(tmp_path / "shop.yaml")
    assert "Too many levels of symbolic links" in fault.found
