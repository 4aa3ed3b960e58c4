"""What carries a channel: SMTP, HTTP push, the development inbox. One port; it knows neither store nor Temporal."""
