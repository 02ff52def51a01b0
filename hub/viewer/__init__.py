"""The image viewer (OHIF): `build` fetches and adapts it with the hub's other assets, `files` says what there is."""
