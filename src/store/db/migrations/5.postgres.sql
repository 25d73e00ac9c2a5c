-- When what a look saw as declared in an account was so last.
ALTER TABLE looks ADD COLUMN rights TEXT;
