"""Dagster's tags keep their text: runs in existing homes carry them."""

import dagster as dg
import pytest

from mmm_assets.dagster_private import tags


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PARTITION_NAME_TAG", "dagster/partition"),
        ("ASSET_PARTITION_RANGE_START_TAG", "dagster/asset_partition_range_start"),
        ("ASSET_PARTITION_RANGE_END_TAG", "dagster/asset_partition_range_end"),
        ("MAX_RETRIES_TAG", "dagster/max_retries"),
        ("PARENT_RUN_ID_TAG", "dagster/parent_run_id"),
        ("PRIORITY_TAG", "dagster/priority"),
        ("WILL_RETRY_TAG", "dagster/will_retry"),
        ("HIDDEN_TAG_PREFIX", ".dagster/"),
    ],
)
def test_a_tag_keeps_its_text(name, text):
    """Another text would make an upgrade lose partitions, retries and claims of recorded runs."""
    assert getattr(tags, name) == text


def test_all_tags_are_held_to_their_text():
    """A tag that is added is added above."""
    assert set(tags.__all__) == {name for name in dir(tags) if name.isupper()}
    assert len(tags.__all__) == 8


def test_a_partition_tag_names_the_partition_of_a_run(instance):
    """The tag is what an asset sees as its partition."""
    seen = []

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["ms"]))
    def one(context: dg.AssetExecutionContext) -> None:
        seen.append(context.partition_key)

    job = dg.Definitions(assets=[one], jobs=[dg.define_asset_job("all_of_it")]).resolve_job_def("all_of_it")
    assert job.execute_in_process(instance=instance, tags={tags.PARTITION_NAME_TAG: "ms"}).success
    assert seen == ["ms"]
