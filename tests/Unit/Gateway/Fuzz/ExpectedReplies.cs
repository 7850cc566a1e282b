using System.Buffers.Binary;
using Granary.Gateway.Kafka;
using Granary.Gateway.Kafka.Wire;
using Granary.Unit.Wire;

namespace Granary.Unit.Gateway.Fuzz;

/// <summary>
/// Which replies may come to bytes that were sent: one for each whole frame of a served API, in their order (none for a Produce with
/// acks 0), up to the frame where the listener closes.
/// </summary>
internal sealed class ExpectedReplies
{
    private const int LengthBytes = sizeof(int);
    private const int SmallestHeaderBytes = 8;

    private readonly Queue<(short Key, short Version, int CorrelationId)> _expected = new();

    public ExpectedReplies(byte[] sent, ApiTable apis)
    {
        for (var rest = sent.AsSpan(); rest.Length >= LengthBytes;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(rest);
            rest = rest[LengthBytes..];
            if (length < SmallestHeaderBytes || length > rest.Length)
                return;
            var key = BinaryPrimitives.ReadInt16BigEndian(rest);
            var version = BinaryPrimitives.ReadInt16BigEndian(rest[sizeof(short)..]);
            if (!apis.TryFind(key, out var api) || (!api.Takes(version) && key != ApiVersionsRequest.ApiKey))
                return;
            // KIP-511: an unknown version of ApiVersions is answered in version 0.
            _expected.Enqueue((key, api.Takes(version) ? version : (short)0, BinaryPrimitives.ReadInt32BigEndian(rest[(2 * sizeof(short))..])));
            rest = rest[length..];
        }
    }

    /// <summary>Takes the next reply: it must be to a frame that was sent, be what its version says to its last byte, and be written so again.</summary>
    /// <returns>What it answers.</returns>
    public (short Key, short Version) Take(byte[] reply)
    {
        var correlationId = BinaryPrimitives.ReadInt32BigEndian(reply);
        while (_expected.TryDequeue(out var next))
        {
            if (next.CorrelationId != correlationId && next.Key == ProduceRequest.ApiKey)
                continue;
            Assert.Equal(next.CorrelationId, correlationId);
            var reader = new WireReader(reply.AsMemory(sizeof(int)));
            if (next.Key != ApiVersionsRequest.ApiKey && ApiKeys.IsFlexible(next.Key, next.Version))
                reader.SkipTagged();
            var body = reply.AsMemory(reply.Length - reader.Remaining);
            var message = Codecs.Read(Codecs.Find("resp", Codecs.NameOf(next.Key)!)!, next.Version, body, out var unread);
            Assert.Equal(0, unread);
            Assert.Equal(body.ToArray(), Codecs.Write(message, next.Version));
            return (next.Key, next.Version);
        }

        Assert.Fail($"a reply to {correlationId}, which nothing asked for");
        return default;
    }
}
