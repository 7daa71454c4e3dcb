"""What everyone agrees on: settings, clock, tables, rights. No network, no platform names."""
