"""Settings: what may be left out, what belongs to the version, what comes back as it was written."""

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mmm_engine.client.client_file import (
    client_config_from_mapping,
    read_client_config,
    write_client_config,
)
from mmm_engine.client.config import (
    ChannelConfig,
    ClientConfig,
    ControlConfig,
    SamplerConfig,
    TargetConfig,
    check_client_id,
)
from mmm_engine.client.model_config import AdstockConfig, ModelConfig
from mmm_engine.errors import ConfigError
from tests.engine.client_cases import SETTINGS, SHOP, shop_config


def test_a_file_with_only_what_is_needed_gets_the_defaults(tmp_path):
    """Six lines make a client."""
    (tmp_path / "shop.yaml").write_text(SHOP)
    config = read_client_config(tmp_path / "shop.yaml")
    assert config == shop_config()
    assert config.channel_names == ("tv", "radio")
    assert config.control_names == ("price",)
    assert config.controls[0].effect == "positive"
    assert config.model == ModelConfig(adstock=AdstockConfig(kind="geometric", max_lag=4))
    assert config.sampler == SamplerConfig(draws=1000, tune=500, chains=4, target_accept=0.95, seed=1)


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
    "text", ["", "A", "a b", "../a", "a/b", "-a", "a" * 64, "ä", "a\n", "a|b", "a.b", "ａ"]
)
def test_ids_that_could_become_other_paths_are_refused(text):
    """Every path and partition key is made from ids that passed here."""
    with pytest.raises(ConfigError, match=r"found the client id .*; rename the client"):
        check_client_id(text)


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
        {"distribution": st.sampled_from(["HalfNormal", "Normal", "LogNormal"])},
        optional={"sigma": st.floats(min_value=5e-324, allow_infinity=False), "dims": names},
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
