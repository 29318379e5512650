-- Channels and their groups.
select
    channel,
    channel_group,
    channel_name,
    channel_name_zh
from {{ ref('channels') }}
