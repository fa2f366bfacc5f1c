"""Programs that recipes share."""
