"""Releases: what readers open. Built in private, audited, published whole."""

from zhongtai.release.query import query
from zhongtai.release.run import publish_run
from zhongtai.release.store import as_of_date, current, get, list_releases, prune, relocate, rollback

__all__ = ["as_of_date", "current", "get", "list_releases", "prune", "publish_run", "query", "relocate", "rollback"]
