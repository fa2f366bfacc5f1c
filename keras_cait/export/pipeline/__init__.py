"""Steps that exports of all formats share."""
