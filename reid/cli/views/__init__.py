"""What commands show: live terminals, tables, lines of JSON, sparklines."""
