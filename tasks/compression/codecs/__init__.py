"""Codecs: how the weights of a layer become numbers of few bits."""
