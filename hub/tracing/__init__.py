"""Twelve leads on paper: one geometry in millimetres for the screen's canvas, SVG and PDF."""
