"""Decoders: from what a source delivers to planes. ``choose.make_decoder`` picks one."""
