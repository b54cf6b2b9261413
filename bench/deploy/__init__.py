"""Deployment: trained networks as files that run without this package."""
