"""From break to disposition: cases, incidents, approvals, promises, and what there is to tell the customer."""
