"""Rules of the deduction, one file each: facts in, a value or a named error out."""
