using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka;

/// <summary>A whole reply: length, header and body.</summary>
internal static class ReplyFrame
{
    /// <param name="hasFlexibleHeader">True: tagged fields follow the correlation id; there are none yet (response header version 1).</param>
    public static WireWriter Write<TResponse>(
        int correlationId,
        bool hasFlexibleHeader,
        TResponse response,
        WriteMessage<TResponse> write,
        short version)
    {
        var writer = new WireWriter();
        try
        {
            writer.WriteInt32(correlationId);
            if (hasFlexibleHeader)
                writer.WriteUnsignedVarint(0);
            write(response, writer, version);
            writer.PatchLength();
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }
}
