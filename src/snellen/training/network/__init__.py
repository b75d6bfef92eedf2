"""Networks: layers from a description, their first weights, their table, and exact rewrites."""
