"""Durable state: rows and objects. Rows never leave; canonical values do."""
