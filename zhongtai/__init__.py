"""Zhongtai: the operations data platform's library. It imports no Dagster."""
