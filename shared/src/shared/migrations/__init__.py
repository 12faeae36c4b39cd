"""How does a service's database get its tables? Migrations of the event core, then its own."""
