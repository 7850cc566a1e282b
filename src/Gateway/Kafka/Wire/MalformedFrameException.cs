namespace Granary.Gateway.Kafka.Wire;

/// <summary>A frame is not what its version says. The message names the field or kind of field, the value and the limit.</summary>
internal sealed class MalformedFrameException(string message) : Exception(message)
{
    public static MalformedFrameException NullOf(string field) => new($"{field} is null, which this version does not know");
}
