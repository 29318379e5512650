"""dim_dates by the State Council's notices, the almanac, and what was rejected."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from tests.simulated import expected
from tests.simulated.contracts import SILOS, contracts
from tests.simulated.silo_files import business_date, local_date
from tests.simulated.unified.company import Company, Table

# Of 2024 and 2025 (国办发明电〔2023〕7号, 〔2024〕12号): days off (first, last), and weekend days worked for them.
DAYS_OFF = {
    "元旦": [("2024-01-01", "2024-01-01"), ("2025-01-01", "2025-01-01")],
    "春节": [("2024-02-10", "2024-02-17"), ("2025-01-28", "2025-02-04")],
    "清明节": [("2024-04-04", "2024-04-06"), ("2025-04-04", "2025-04-06")],
    "劳动节": [("2024-05-01", "2024-05-05"), ("2025-05-01", "2025-05-05")],
    "端午节": [("2024-06-10", "2024-06-10"), ("2025-05-31", "2025-06-02")],
    # In 2025 its day lies among those of National Day.
    "中秋节": [("2024-09-15", "2024-09-17"), ("2025-10-06", "2025-10-06")],
    "国庆节": [("2024-10-01", "2024-10-07"), ("2025-10-01", "2025-10-05"), ("2025-10-07", "2025-10-08")],
}
WORKED = {
    "春节": ["2024-02-04", "2024-02-18", "2025-01-26", "2025-02-08"],
    "清明节": ["2024-04-07"],
    "劳动节": ["2024-04-28", "2024-05-11", "2025-04-27"],
    "中秋节": ["2024-09-14"],
    "国庆节": ["2024-09-29", "2024-10-12", "2025-09-28", "2025-10-11"],
}
FESTIVALS = {
    "春节": ["2024-02-10", "2025-01-29"],
    "元宵节": ["2024-02-24", "2025-02-12"],
    "清明节": ["2024-04-04", "2025-04-04"],
    "端午节": ["2024-06-10", "2025-05-31"],
    "七夕节": ["2024-08-10", "2025-08-29"],
    "中秋节": ["2024-09-17", "2025-10-06"],
    "重阳节": ["2024-10-11", "2025-10-29"],
}
NAMES = {
    "元旦": "New Year's Day",
    "春节": "Spring Festival",
    "元宵节": "Lantern Festival",
    "清明节": "Qingming Festival",
    "劳动节": "Labour Day",
    "端午节": "Dragon Boat Festival",
    "七夕节": "Qixi Festival",
    "中秋节": "Mid-Autumn Festival",
    "重阳节": "Double Ninth Festival",
    "国庆节": "National Day",
}
# When something happened, by table: moments of UTC, or days.
HAPPENED = {
    ("storefront", "orders"): ["placed_at", "paid_at"],
    ("storefront", "payments"): ["paid_at"],
    ("storefront", "refunds"): ["refunded_at"],
    ("storefront", "events"): ["event_at"],
    ("storefront", "reviews"): ["reviewed_at"],
    ("storefront", "coupons"): ["issued_at", "redeemed_at"],
    ("storefront", "presale_reservations"): ["reserved_at"],
    ("storefront", "service_tickets"): ["opened_at"],
    ("marketplace", "orders"): ["placed_at", "paid_at"],
    ("marketplace", "refunds"): ["refunded_at"],
    ("marketplace", "reviews"): ["reviewed_at"],
    ("live", "orders"): ["placed_at", "paid_at"],
    ("live", "refunds"): ["refunded_at"],
    ("live", "session_minutes"): ["minute_at"],
    ("stores", "receipts"): ["paid_at"],
    ("stores", "visits"): ["visited_at"],
    ("crm", "touches"): ["sent_at"],
    ("crm", "growth_ledger"): ["earned_at"],
    ("crm", "group_messages"): ["posted_at"],
    ("marketing", "ad_spend"): ["spend_date"],
    ("marketing", "content_stats"): ["stat_date"],
    ("market", "competitor_listings"): ["listed_date"],
    ("erp", "inventory"): ["snapshot_date"],
    ("erp", "purchase_lines"): ["created_at"],
    ("erp", "receipts"): ["received_at"],
    ("erp", "supplier_invoices"): ["invoiced_date"],
    ("erp", "supplier_payments"): ["paid_at"],
    ("erp", "stock_transfers"): ["shipped_at"],
    ("logistics", "shipments"): ["shipped_at", "delivered_at"],
    ("logistics", "tracking_events"): ["tracked_at"],
    ("weather", "weather_daily"): ["weather_date"],
}
PROMOTIONS = {"618": ("06-01", "06-18"), "double_11": ("10-31", "11-11")}


def day_off(day: date) -> str | None:
    """The holiday for which a day is off."""
    told = day.isoformat()
    spans = [(name, span) for name, spans in DAYS_OFF.items() for span in spans]
    return next((name for name, (first, last) in spans if first <= told <= last), None)


def worked_for(day: date) -> str | None:
    """The holiday for which a day of a weekend is worked."""
    return next((name for name, days in WORKED.items() if day.isoformat() in days), None)


def festival(day: date) -> str | None:
    return next((name for name, days in FESTIVALS.items() if day.isoformat() in days), None)


def promotion(day: date) -> str | None:
    """The window in the weeks up to June 18 and November 11."""
    return next((name for name, (first, last) in PROMOTIONS.items() if first <= f"{day:%m-%d}" <= last), None)


def first_date(files: Path, silos: Collection[str] = SILOS) -> pd.Timestamp:
    """The first business date on which any of some silos tells of something."""
    found = []
    for (silo, table), columns in HAPPENED.items():
        kinds = {column.name: column.data_type for column in contracts()[silo, table].columns}
        for column in columns if silo in silos else ():
            told = expected.rows(files, silo, table)[column]
            found.append((told if kinds[column] == "date" else business_date(told)).min())
    return min(day for day in found if pd.notna(day))


def dates(company: Company) -> pd.DataFrame:
    """Every day from the first with data to the end of the last moment's year."""
    today, rejected = local_date(expected.latest(company.silos)), expected.rejected_dates(company.silos)
    days = pd.date_range(first_date(company.silos), f"{today.year}-12-31")
    return pd.DataFrame([_described(day.date(), today, rejected) for day in days])


def holidays(day: date) -> dict[str, object]:
    """What the notices and the almanac say of a day."""
    holiday, lunar = day_off(day) or worked_for(day), festival(day)
    return {
        "is_public_holiday": day_off(day) is not None,
        "is_makeup_workday": worked_for(day) is not None,
        "holiday_name": NAMES.get(holiday or ""),
        "holiday_name_zh": holiday,
        "festival_name": NAMES.get(lunar or ""),
        "festival_name_zh": lunar,
    }


def _described(day: date, today: date, rejected: set[date]) -> dict[str, object]:
    is_weekend = day.isoweekday() > 5
    return {
        "date_day": pd.Timestamp(day),
        "year": day.year,
        "quarter": (day.month + 2) // 3,
        "month": day.month,
        "month_begin": pd.Timestamp(day.replace(day=1)),
        "week_begin": pd.Timestamp(day - timedelta(days=day.isoweekday() - 1)),
        "iso_weekday": day.isoweekday(),
        "is_weekend": is_weekend,
        "is_complete": day <= today and day not in rejected,
        "is_workday": worked_for(day) is not None or not (is_weekend or day_off(day)),
        "promotion_window": promotion(day),
        **holidays(day),
    }


TABLES = {"dim_dates": Table(dates, ["date_day"])}
