using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Granary.Abstractions.Records;
using Granary.Gateway.Kafka.Wire;

namespace Granary.KafkaClients.Recording;

/// <summary>One request frame of each client, API and version (of Produce: and codec); the longest that makes a small file, for it says the most.</summary>
internal sealed class FrameRecording
{
    private const int MaxFrameBytes = 950;
    private const int BytesPerLine = 64;
    private const string Request = "Request";

    private static readonly Dictionary<short, string> s_names = typeof(WireReader).Assembly.GetTypes()
        .Where(type => type.Namespace == typeof(WireReader).Namespace && type.Name.EndsWith(Request, StringComparison.Ordinal) && type.GetField("ApiKey") is not null)
        .ToDictionary(type => (short)type.GetField("ApiKey")!.GetRawConstantValue()!, type => type.Name[..^Request.Length]);

    private readonly ConcurrentDictionary<string, byte[]> _frames = new();

    public IEnumerable<string> Names => _frames.Keys.Order(StringComparer.Ordinal);

    /// <param name="frame">Whole, its length first.</param>
    public void Add(string client, byte[] frame)
    {
        var key = BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(sizeof(int)));
        var version = BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(sizeof(int) + sizeof(short)));
        if (frame.Length > MaxFrameBytes || !s_names.TryGetValue(key, out var api))
            return;
        var codec = key == ProduceRequest.ApiKey ? CodecOf(frame) : "";
        _frames.AddOrUpdate($"{client}-{api}-v{version}{codec}", frame, (_, other) => other.Length < frame.Length ? frame : other);
    }

    /// <summary>Writes a file of hexadecimal digits for each frame, in place of those of former recordings.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var former in Directory.GetFiles(folder, "*.hex"))
            File.Delete(former);
        foreach (var (name, frame) in _frames)
        {
            Assert.DoesNotContain(Environment.MachineName, Encoding.Latin1.GetString(frame), StringComparison.OrdinalIgnoreCase);
            File.WriteAllText(Path.Combine(folder, $"{name}.hex"), string.Concat(frame.Chunk(BytesPerLine).Select(line => Convert.ToHexStringLower(line) + "\n")));
        }
    }

    private static string CodecOf(byte[] frame)
    {
        var reader = new WireReader(frame.AsMemory(sizeof(int)));
        var version = RequestHeader.Read(ref reader).ApiVersion;
        var records = ProduceRequest.Read(ref reader, version).TopicData[0].PartitionData[0].Records!;
        Assert.True(RecordBatchHeader.TryRead(records.ToContiguous().Span, out var header));
        return $"-{header.Compression}".ToLowerInvariant();
    }
}
