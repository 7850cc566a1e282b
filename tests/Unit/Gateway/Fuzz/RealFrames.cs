using Granary.Gateway.Kafka;
using Granary.Gateway.Kafka.Wire;
using Granary.Unit.Wire;

namespace Granary.Unit.Gateway.Fuzz;

/// <param name="Bytes">The whole frame, its length first.</param>
internal sealed record RealFrame(string Source, short Key, short Version, byte[] Bytes);

/// <summary>
/// Requests that Kafka's own code wrote (where those files are here) and that real clients sent, for every API and version that is served.
/// A version that nobody wrote gets another version's request in its form.
/// </summary>
internal static class RealFrames
{
    public static IReadOnlyList<RealFrame> Of(ApiTable apis)
    {
        var frames = new List<RealFrame>();
        foreach (var api in apis.All)
        {
            var name = Codecs.NameOf(api.Key)!;
            var type = Codecs.Find("req", name)!;
            var bodies = Bodies(api.Key, name).ToList();
            for (var version = api.LowestVersion; version <= api.HighestVersion; version++)
            {
                var own = bodies.Where(body => body.Version == version).ToList();
                frames.AddRange(own.Select(body => Frame(body.Source, api.Key, version, body.Bytes)));
                if (own.Count == 0)
                    own = [.. bodies.OrderBy(body => Math.Abs(body.Version - version)).Take(1)];
                foreach (var body in own)
                {
                    var message = Codecs.Read(type, body.Version, body.Bytes, out _);
                    TameRequest.Tame(message);
                    frames.Add(Frame($"{body.Source}, tamed", api.Key, version, Codecs.Write(message, version)));
                }
            }
        }

        return frames;
    }

    private static IEnumerable<(string Source, short Version, ReadOnlyMemory<byte> Bytes)> Bodies(short key, string name)
    {
        foreach (var vector in (Vectors.All ?? []).Where(vector => vector.Kind == "req" && vector.Key == key))
            yield return ($"Kafka's {name} v{vector.Version}", vector.Version, vector.Bytes);
        foreach (var recorded in RecordedFrames.All)
        {
            if (TryReadBody(recorded.Bytes, key, out var version, out var body))
                yield return (recorded.Name, version, body);
        }
    }

    private static bool TryReadBody(byte[] frame, short key, out short version, out ReadOnlyMemory<byte> body)
    {
        var reader = new WireReader(frame.AsMemory(sizeof(int)));
        var header = RequestHeader.Read(ref reader);
        version = header.ApiVersion;
        body = frame.AsMemory(frame.Length - reader.Remaining);
        return header.ApiKey == key;
    }

    private static RealFrame Frame(string source, short key, short version, ReadOnlyMemory<byte> body)
    {
        using var writer = new WireWriter(forFrame: false);
        new RequestHeader(key, version, 1_000 + key, "fuzz").Write(writer);
        var content = writer.Segments.SelectMany(segment => segment).Concat(body.ToArray()).ToArray();
        return new RealFrame(source, key, version, [.. FrameMutation.LengthOf(content.Length), .. content]);
    }
}
