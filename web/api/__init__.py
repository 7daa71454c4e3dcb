"""The read/write JSON API under ``/api/v1``: the same services as the pages, for programs with a personal token.

Each operation is declared once (:mod:`web.api.operation`); the routes, the checks of what comes in and the OpenAPI
document are all made from that declaration.
"""
