"""The rows that /api/v1 promises: they change with the API's version, the rows of pages with pages."""
