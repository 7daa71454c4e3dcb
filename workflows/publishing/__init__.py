"""Posts on the shared calendar: written, reviewed by somebody else, handed to the delivery engine per account."""
