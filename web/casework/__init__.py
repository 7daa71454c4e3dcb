"""What the casework pages share: words, filters, the list beside a case, the page of a case, its thread."""
