using System.Collections;
using System.Text.Json;
using Granary.Gateway.Kafka.Wire;
using Granary.Unit.Tidy;

namespace Granary.Unit.Wire;

/// <summary>A codec is right when it reads what Kafka wrote and writes the same bytes again.</summary>
public sealed class VectorTests
{
    /// <summary>Every API of which at least one version is declared.</summary>
    public static TheoryData<string> Apis() =>
    [
        "Produce", "Fetch", "ListOffsets", "Metadata", "FindCoordinator", "ApiVersions", "CreateTopics", "DeleteTopics", "DeleteRecords",
        "InitProducerId", "OffsetForLeaderEpoch", "DescribeConfigs", "AlterConfigs", "CreatePartitions", "IncrementalAlterConfigs",
        "DescribeCluster", "DescribeTopicPartitions", "OffsetCommit", "OffsetFetch", "JoinGroup", "SyncGroup", "Heartbeat", "LeaveGroup",
        "DescribeGroups", "ListGroups", "DeleteGroups", "OffsetDelete", "ConsumerGroupHeartbeat", "ConsumerGroupDescribe",
    ];

    [Theory]
    [MemberData(nameof(Apis))]
    public void ReadAndWrite_GiveKafkasBytes(string api)
    {
        Assert.SkipWhen(Vectors.All is null, VectorFiles.Missing);
        var vectors = Vectors.All!.Where(vector => vector.Api == api).ToArray();
        Assert.NotEmpty(vectors);
        var wrong = new List<string>();
        foreach (var vector in vectors)
        {
            var message = Codecs.Find(vector.Kind, api);
            Assert.NotNull(message);
            Assert.True(Codecs.Declares(message, vector.Version), $"{vector.Kind} {api} v{vector.Version} is not declared");
            try
            {
                var read = Codecs.Read(message, vector.Version, vector.Bytes, out var unread);
                if (unread != 0)
                    wrong.Add($"{vector.Kind} {api} v{vector.Version}: {unread} bytes not read");
                var written = Codecs.Write(read, vector.Version);
                if (!written.AsSpan().SequenceEqual(vector.Bytes))
                    wrong.Add($"{vector.Kind} {api} v{vector.Version}: {Convert.ToHexStringLower(written)} instead of {Convert.ToHexStringLower(vector.Bytes)}");
                wrong.AddRange(Differences(JsonDocument.Parse(vector.Json).RootElement, read, $"{vector.Kind} {api} v{vector.Version}"));
            }
            catch (MalformedFrameException malformed)
            {
                wrong.Add($"{vector.Kind} {api} v{vector.Version}: {malformed.Message}");
            }
        }

        Assert.Empty(wrong);
    }

    [Theory]
    [MemberData(nameof(Apis))]
    public void Read_OfATruncatedFrame_IsMalformed(string api)
    {
        Assert.SkipWhen(Vectors.All is null, VectorFiles.Missing);
        foreach (var vector in Vectors.All!.Where(vector => vector.Api == api))
        {
            var message = Codecs.Find(vector.Kind, api)!;
            for (var length = 0; length < vector.Bytes.Length; length++)
                Assert.Throws<MalformedFrameException>(() => Codecs.Read(message, vector.Version, vector.Bytes.AsMemory(0, length), out _));
        }
    }

    [Fact]
    public void Read_OfMutatedFrames_IsMalformedOrNothingWorse()
    {
        Assert.SkipWhen(Vectors.All is null, VectorFiles.Missing);
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var declared = Vectors.All!.Where(vector => Codecs.Find(vector.Kind, vector.Api) is not null).ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var vector = declared[random.Next(declared.Length)];
            var bytes = vector.Bytes.ToArray();
            for (var change = random.Next(1, 4); change > 0 && bytes.Length > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Codecs.Read(Codecs.Find(vector.Kind, vector.Api)!, vector.Version, bytes, out _);
            }
            catch (MalformedFrameException)
            {
                // The expected end.
            }
            catch (Exception worse)
            {
                Assert.Fail($"seed {seed}, round {round}, {vector.Kind} {vector.Api} v{vector.Version}: {worse}");
            }

            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 2_000_000, $"seed {seed}, round {round}: a frame of {bytes.Length} bytes took more than 2 MB");
        }
    }

    /// <summary>Names are ours in upper case, values are Kafka's: every plain value of the JSON must be the property's.</summary>
    private static IEnumerable<string> Differences(JsonElement expected, object actual, string path)
    {
        foreach (var property in expected.EnumerateObject())
        {
            var name = char.ToUpperInvariant(property.Name[0]) + property.Name[1..];
            if (actual.GetType().GetProperty(name) is not { } found)
            {
                yield return $"{path}.{property.Name} has no property";
                continue;
            }

            var value = found.GetValue(actual);
            switch (property.Value.ValueKind)
            {
                case JsonValueKind.Array when value is IList list && list.Count == property.Value.GetArrayLength():
                    for (var index = 0; index < list.Count; index++)
                    {
                        if (property.Value[index].ValueKind != JsonValueKind.Object)
                            continue;
                        foreach (var difference in Differences(property.Value[index], list[index]!, $"{path}.{property.Name}[{index}]"))
                            yield return difference;
                    }

                    break;
                case JsonValueKind.Array:
                    yield return $"{path}.{property.Name} has another length";
                    break;
                case JsonValueKind.Number when value is sbyte or short or int or long or uint or ushort && property.Value.GetInt64() != Convert.ToInt64(value):
                    yield return $"{path}.{property.Name} is {value} instead of {property.Value}";
                    break;
                case JsonValueKind.String when value is string text && text != property.Value.GetString():
                    yield return $"{path}.{property.Name} is {text} instead of {property.Value}";
                    break;
                case JsonValueKind.Null when value is not null:
                    yield return $"{path}.{property.Name} is not null";
                    break;
                case JsonValueKind.True or JsonValueKind.False when value is bool flag && flag != property.Value.GetBoolean():
                    yield return $"{path}.{property.Name} is {flag}";
                    break;
            }
        }
    }
}
