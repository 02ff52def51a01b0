"""Before an order: what is found, judged, shown and written down."""
