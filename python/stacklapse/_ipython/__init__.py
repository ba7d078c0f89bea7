"""Behind stacklapse.ipython: what a line or cell is, how it is run, and what is shown of it. Nothing here is for
others, and nothing imports IPython: stacklapse.ipython does."""
