"""Public data sets in their own layouts, as manifests of ours; one module a layout."""
