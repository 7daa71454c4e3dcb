"""Seeing inside: the access log, health, figures for Prometheus and for the status page."""
