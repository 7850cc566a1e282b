using System.Buffers;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

namespace Granary.Abstractions.Records;

/// <summary>
/// How <see cref="RecordBytes"/> travels between silos: one length-delimited field, written piece by piece straight into the message's
/// buffer and read into one new array, which the receiver owns alone.
/// </summary>
[RegisterSerializer]
internal sealed class RecordBytesCodec : IFieldCodec<RecordBytes>
{
    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, RecordBytes? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        // Null, and the same object for the second time in one message, are references.
        if (ReferenceCodec.TryWriteReferenceField(ref writer, fieldIdDelta, expectedType, value))
            return;
        ArgumentNullException.ThrowIfNull(value);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(RecordBytes), WireType.LengthPrefixed);
        writer.WriteVarUInt32((uint)value.Length);
        foreach (var piece in value.Pieces)
            writer.Write(piece.Span);
    }

    public RecordBytes? ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference)
            return ReferenceCodec.ReadReference<RecordBytes, TInput>(ref reader, field);
        field.EnsureWireType(WireType.LengthPrefixed);
        var length = reader.ReadVarUInt32();

        // Before the array is made: a broken length must not cost its memory.
        reader.EnsureAvailable(length);
        var value = length == 0 ? RecordBytes.Empty : new RecordBytes(ReadArray(ref reader, length));
        ReferenceCodec.RecordObject(reader.Session, value);
        return value;
    }

    private static byte[] ReadArray<TInput>(ref Reader<TInput> reader, uint length)
    {
        var bytes = GC.AllocateUninitializedArray<byte>((int)length);
        reader.ReadBytes(bytes);
        return bytes;
    }
}

/// <summary>Within a silo <see cref="RecordBytes"/> is passed by reference: whoever hands it over gives it up.</summary>
[RegisterCopier]
internal sealed class RecordBytesCopier : IDeepCopier<RecordBytes>, IOptionalDeepCopier
{
    public bool IsShallowCopyable() => true;

    public RecordBytes? DeepCopy(RecordBytes? input, CopyContext context) => input;
}
