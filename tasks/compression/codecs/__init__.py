"""Codecs: a file here without a leading underscore quantises the weights of a network in its own way.

Such a file holds

* ``FORMS``: tuple of texts for ``bench`` messages: how its names are spelt, what each part means, an example.
* ``KINDS``: tuple of the kinds of tensors that it decodes; they stand in packed files. A kind that ends in ``-rows``
  keeps its table in bfloat16.
* ``parse(name) -> Settings | None``: its settings from the part of a system's name such as ``u8-4``; None for a name
  of another codec.
* ``encode(tensors, settings) -> dict[str, Coded]``: a network's tensors by the names of its state dict; what is not
  quantised is kept in float32.
* ``decode(coded) -> NDArray[np.float32]``: the weights that a tensor's codes stand for.
* ``check_layers(tensors, settings)``, where its settings may name layers: raises ValueError for names that there are
  not.
"""
