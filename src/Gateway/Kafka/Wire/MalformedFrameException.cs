namespace Granary.Gateway.Kafka.Wire;

/// <summary>Bytes from a client are not what the protocol says. The message names the field's kind, its value and the limit.</summary>
internal sealed class MalformedFrameException(string message) : Exception(message);
