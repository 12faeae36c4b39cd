"""Files for accounting: journals, the list of slips, bank transfers."""
