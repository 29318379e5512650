-- One row: the merchant, and the moment for which everything is computed.
select
    merchant,
    title,
    time_zone,
    currency,
    locale,
    as_of,
    as_of_date,
    known_at
from {{ source('zhongtai', 'run_context') }}
