using System.Collections;
using System.Reflection;
using Granary.Abstractions.Records;
using Granary.Unit.Gateway.Kafka;

namespace Granary.Unit.Gateway.Fuzz;

/// <summary>
/// Makes a request that Kafka's own code filled with noise ask after what there is: so it is not refused at the door but goes as deep as
/// the partitions.
/// </summary>
internal static class TameRequest
{
    public const string Topic = "t";
    public const int Partitions = 3;

    public static readonly Guid TopicId = new("6a1f1c9e-8d7b-4c39-9a55-0123456789ab");

    public static void Tame(object message)
    {
        foreach (var property in message.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite))
        {
            var value = property.GetValue(message);
            if (KnownValue(property.Name, property.PropertyType, value) is { } known)
                property.SetValue(message, known);
            else if (property.Name is "TransactionalId" or "NextCursor" or "Cursor" or "Assignments" && value is not IList)
                property.SetValue(message, null);
            else if (value is IList list)
                TameAll(property.Name, list);
            else if (value is not null && property.PropertyType.IsNested)
                Tame(value);
        }
    }

    private static void TameAll(string name, IList list)
    {
        if (name == "Assignments")
            list.Clear();
        for (var index = 0; index < list.Count; index++)
        {
            switch (list[index])
            {
                case int number:
                    list[index] = (int)((uint)number % Partitions);
                    break;
                case string when name is "TopicNames" or "Topics":
                    list[index] = Topic;
                    break;
                case { } element when element.GetType().IsNested:
                    Tame(element);
                    break;
            }
        }
    }

    private static object? KnownValue(string name, Type type, object? value) => (name, value) switch
    {
        ("Name" or "Topic" or "TopicName" or "ResourceName", _) when type == typeof(string) => Topic,
        ("TopicId", Guid) => TopicId,
        ("Partition" or "Index" or "PartitionIndex", int number) => (int)((uint)number % Partitions),
        ("FetchOffset" or "Offset", long) => 0L,
        ("Timestamp", long number) => -1 - (number & 3),
        ("Acks", short) => (short)-1,
        ("IsolationLevel", sbyte) => (sbyte)0,
        ("ResourceType", sbyte) => (sbyte)2,
        ("SessionId", int) => 0,
        ("SessionEpoch" or "CurrentLeaderEpoch" or "LastFetchedEpoch" or "ReplicaId", int) => -1,
        ("MinBytes" or "MaxWaitMs" or "TimeoutMs" or "TimeoutMillis", int) => 1,
        ("PartitionMaxBytes" or "MaxBytes", int) => 1 << 20,
        ("Records", _) when type == typeof(RecordBytes) => new RecordBytes(Batches.Make()),
        _ => null,
    };
}
