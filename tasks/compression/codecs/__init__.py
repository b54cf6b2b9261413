"""Codecs: each file here without a leading underscore is one way to quantise the weights of a network.

Such a file holds

* ``FORMS``: tuple of texts for ``bench`` messages: spelling of its names, meaning of each part, an example.
* ``KINDS``: tuple of the kinds of tensors that it decodes; packed files contain them. A kind that ends in ``-rows``
  keeps its table in bfloat16.
* ``parse(name) -> Settings | None``: its settings from a storage name such as ``u8-4``; None if the name belongs to
  another codec.
* ``encode(tensors, settings) -> dict[str, Coded]``: a network's tensors by their names in the state dict; tensors that
  are not quantised stay in float32.
* ``decode(coded) -> NDArray[np.float32]``: the weights that a tensor's codes stand for.
* ``check_layers(tensors, settings)``, if its settings may name layers: raises ValueError for unknown layers.
"""
