"""One file for each group of pages: reads what it shows, decides by `roles`, acts through `jobs`."""
