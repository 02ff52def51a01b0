"""Foreign protocols and formats. Each folder reads one into canonical values; none knows storage or the hub."""
