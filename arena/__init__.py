"""Ask two models, hide their names, keep the verdict."""
