"""Unsafe behaviour on video: pictures to detections, detections to tracks, tracks to events by declared rules."""
