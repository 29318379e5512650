"""Masked phones: which buyers who show only 138****1234 are probably which persons.

A mask leaves the first three and the last four digits, so several persons have the same pattern. How much a pattern, a
region and purchases in common say is learned from the data (Fellegi-Sunter, by splink); a buyer is at most one person,
so candidates of one buyer share one certainty.
"""

from __future__ import annotations

import logging
from typing import Any

import duckdb
import pyarrow as pa

from zhongtai.errors import UsageError

_SEED = 1
# A whole phone is masked without fail; what is left is people who changed their number.
_SAME_PATTERN_OF_ONE_PERSON = 0.98
_SAMPLED_PAIRS = 1_000_000

LINKS = pa.schema(
    [
        ("silo", pa.string()),
        ("source_id", pa.string()),
        ("own_user_id", pa.string()),
        ("user_id", pa.string()),
        ("match_probability", pa.float64()),
        ("evidence", pa.string()),
    ]
)

_RECORDS = """
    create table records as
    with bought as (select user_id, list(sku_id order by sku_id) as sku_ids from purchases group by user_id)
    select
        cast(row_number() over (order by is_masked, silo, source_id, user_id, phone_pattern) as integer) as unique_id,
        given.*, bought.sku_ids
    from given left join bought using (user_id)
"""
# Two whole phones are two: how often their patterns are the same is chance. Half a pair more, so that it is never none.
_CHANCE = """
    with patterns as (
        select phone_pattern, count(distinct phone)::double as phones from records where not is_masked group by all
    )
    select (sum(phones * (phones - 1)) + 0.5) / (sum(phones) * (sum(phones) - 1) + 1) from patterns
"""
_MET = """
    with whole as (select distinct phone_pattern from records where not is_masked)
    select
        count(*) as masked,
        count(*) filter (phone_pattern in (select phone_pattern from whole)) as met,
        (select count(*) from records where not is_masked) as whole
    from records where is_masked
"""
_LINKED = """
    with pairs as (
        select
            masked.silo, masked.source_id, masked.user_id as own_user_id, whole.user_id,
            max(pow(2, scored.match_weight)) as odds,
            'phone_pattern'
            || max(case when scored.gamma_region_id = 2 then ' region' else '' end)
            || max(case when scored.gamma_sku_ids = 1 then ' sku' else '' end) as evidence
        from scored
        inner join records as masked
            on masked.unique_id = case when scored.is_masked_l then scored.unique_id_l else scored.unique_id_r end
        inner join records as whole
            on whole.unique_id = case when scored.is_masked_l then scored.unique_id_r else scored.unique_id_l end
        group by masked.silo, masked.source_id, masked.user_id, whole.user_id
    )
    select
        silo, source_id, own_user_id, user_id,
        round(odds / (1 + sum(odds) over (partition by silo, source_id)), 6) as match_probability, evidence
    from pairs
    order by silo, source_id, match_probability desc, user_id
"""


def link(records: pa.Table, purchases: pa.Table) -> pa.Table:
    """Links masked identities to persons.

    Args:
        records: a row for each phone pattern of a masked identity or whole phone of a person: is_masked; silo and
            source_id of a masked identity; user_id, phone_pattern, phone (of a person), region_id, province.
        purchases: user_id and sku_id, distinct.

    Returns:
        A row for each masked identity and person with the same pattern: silo, source_id, own_user_id (as which the
        identity is known without the link), user_id, match_probability (the sum over an identity's persons is below
        1), evidence: what they have in common.

    Raises:
        UsageError: there is something to link and splink is not installed.
    """
    with duckdb.connect(config={"threads": 1}) as connection:  # one thread: sums are the same each time
        connection.register("given", records)
        connection.register("purchases", purchases)
        connection.execute(_RECORDS)
        masked, met, whole = connection.execute(_MET).fetchall()[0]
        if not met:
            return LINKS.empty_table()
        chance = connection.execute(_CHANCE).fetchall()[0][0]
        _score(connection, chance, _matching_share(masked, met, whole, chance))
        return connection.execute(_LINKED).to_arrow_table().cast(LINKS)


def _matching_share(masked: int, met: int, whole: int, chance: float) -> float:
    """Of all pairs, how many are one person: a masked record meets its person's, or by chance another's pattern."""
    by_chance = 1 - (1 - chance) ** whole
    matching = max(met - by_chance * masked, 0.01 * met) / (1 - by_chance)
    return min(matching / _SAME_PATTERN_OF_ONE_PERSON, masked) / (masked * whole)


def _score(connection: duckdb.DuckDBPyConnection, chance: float, share: float) -> None:
    """Makes the table `scored`: every pair of one pattern, with its match weight."""
    try:
        import splink
    except ImportError as error:
        raise UsageError(
            "links_masked_phones is on, but splink is not installed. Run: pip install 'zhongtai[linking]', or take "
            "links_masked_phones out of the merchant's file"
        ) from error
    connection.execute("create view masked as select * from records where is_masked")
    connection.execute("create view whole as select * from records where not is_masked")
    api = splink.DuckDBAPI(connection)
    tables = [api.register(name) for name in ("masked", "whole")]
    linker = splink.Linker(tables, _settings(splink, chance, share), log_level=logging.ERROR)
    linker.training.estimate_u_using_random_sampling(max_pairs=_SAMPLED_PAIRS, seed=_SEED)
    linker.training.estimate_parameters_using_expectation_maximisation(
        splink.block_on("phone_pattern"), fix_probability_two_random_records_match=True
    )
    scored = linker.inference.predict()
    connection.execute(f"create view scored as select * from {scored.physical_name}")


def _settings(splink: Any, chance: float, share: float) -> Any:
    """What is compared, and how much a phone pattern says: that is counted, not learned."""
    same = {"m_probability": _SAME_PATTERN_OF_ONE_PERSON, "u_probability": chance}
    other = {"m_probability": 1 - _SAME_PATTERN_OF_ONE_PERSON, "u_probability": 1 - chance}
    fixed = {"fix_m_probability": True, "fix_u_probability": True}
    missing = "{0}_l is null or {0}_r is null"

    def comparison(column: str, *levels: dict[str, Any]) -> dict[str, Any]:
        empty = {"sql_condition": missing.format(column), "label_for_charts": "missing", "is_null_level": True}
        return {"output_column_name": column, "comparison_levels": [empty, *levels]}

    def level(condition: str, label: str, **more: Any) -> dict[str, Any]:
        return {"sql_condition": condition, "label_for_charts": label, **more}

    return splink.SettingsCreator(
        link_type="link_only",
        probability_two_random_records_match=share,
        comparisons=[
            comparison(
                "phone_pattern",
                level("phone_pattern_l = phone_pattern_r", "same", **same, **fixed),
                level("else", "other", **other, **fixed),
            ),
            comparison(
                "region_id",
                level("region_id_l = region_id_r", "same city"),
                level("province_l = province_r", "same province"),
                level("else", "other"),
            ),
            comparison("sku_ids", level("list_has_any(sku_ids_l, sku_ids_r)", "some"), level("else", "none")),
        ],
        blocking_rules_to_generate_predictions=[splink.block_on("phone_pattern")],
        additional_columns_to_retain=["is_masked"],
    )
