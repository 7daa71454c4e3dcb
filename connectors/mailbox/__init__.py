"""Mailboxes: letters come by IMAP, answers leave by SMTP."""
