"""One row a masked identity and a person who may be the same (zhongtai/analytics/masked_phones.py)."""


def model(dbt, _session):
    """Probabilities are learned by splink; without records it is not imported."""
    from zhongtai.analytics import masked_phones

    dbt.config(materialized="table")
    records = dbt.ref("int_masked_phone_records")
    purchases = dbt.ref("int_masked_phone_purchases")
    return masked_phones.link(
        records.order("is_masked, silo, source_id, user_id, phone_pattern").to_arrow_table(),
        purchases.order("user_id, sku_id").to_arrow_table(),
    )
