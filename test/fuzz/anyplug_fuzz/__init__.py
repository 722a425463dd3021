"""Differential fuzzing: the codecs of the three languages and upb, protobuf's own, take the same bytes alike."""
