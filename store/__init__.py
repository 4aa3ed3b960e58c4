"""Everything that is remembered, in SQL. It knows the core; it knows neither HTTP nor Temporal."""
