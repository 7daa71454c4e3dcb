"""Texts that a language model of the office drafts: asked for by a person, written by a job, marked for good."""
