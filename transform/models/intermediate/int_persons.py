"""One row an identity: which person it is (zhongtai/analytics/identity.py)."""


def model(dbt, _session):
    """Components of a graph are what SQL cannot say."""
    from zhongtai.analytics import identity

    dbt.config(materialized="table")
    identities = dbt.ref("int_identities_unioned")
    links = dbt.ref("int_identity_links")
    return identity.resolve_tables(
        identities.select("identity_rank, identity_kind, landed_position").order("identity_rank").to_arrow_table(),
        links.order("evidence, landed_position, identity_rank, evidence_token").to_arrow_table(),
    )
