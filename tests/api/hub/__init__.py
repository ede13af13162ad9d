"""Tests of dgcli/hub."""
